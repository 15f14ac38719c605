//! Mail jobs to the print vendor as packages over SFTP.
