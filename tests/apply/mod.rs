//! apply and rollback of the real binary, against the tests' own S3 (byte for byte) and LocalStack (boto3 looks).

mod emit;
mod gate;
mod kill;
mod lake;
mod verbs;
mod whole;
