module webhook

go 1.24

require s3n.dev/s3n v0.0.0

replace s3n.dev/s3n => ../../sdk/go
