//! Listed residents from the region's file; person data by GetPersonsForProfile 5.
