//! 1177 inkorg: active user, message with the basis for sending, read status.
