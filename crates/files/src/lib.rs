//! Reading and writing: CSV, safetensors, certificates.
