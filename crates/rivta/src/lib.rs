//! RIV-TA Basic Profile 2.1: envelope, headers, faults, mutual TLS, client and server.
