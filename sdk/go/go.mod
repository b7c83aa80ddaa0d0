module s3n.dev/s3n

go 1.24
