// Free of the SDK's types, which are there only where the SDK is.

/** Where a bucket is, and who asks for it. */
export interface BucketOptions {
  readonly bucket: string
  /** Default: the SDK's own (`AWS_REGION`, the profile); with an `endpoint`, `us-east-1`. */
  readonly region?: string
  /** URL of another server than Amazon's. */
  readonly endpoint?: string
  /** Stands before every key, such as `cargo/`; several registries may share a bucket that way. */
  readonly prefix?: string
  /** Whether the bucket is in the path of URLs instead of the host name; default: with an `endpoint`. */
  readonly forcePathStyle?: boolean
  /** Default: the SDK's chain (environment, profile, web identity, container, instance). */
  readonly credentials?: S3Credentials
  /** Longest wait for one answer, in milliseconds; default 10 000. All tries together have half as long again. */
  readonly timeout?: number
}

/** An access key, for a time when it has a session token. */
export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** A bucket, and how far the store is trusted. */
export interface S3Options extends BucketOptions {
  /** Whether the store is tried out first, with 1 280 small writes; default true. Without it `multiWriter` is false. */
  readonly selfTest?: boolean
  /**
   * Only one process ever writes, so that the store need not have conditional writes (`If-None-Match: *`); default
   * false. There is no self-test then.
   */
  readonly singleWriter?: boolean
  /**
   * Whether the store has `signedUrl()`, so that downloads are redirected to the bucket, whose `endpoint` clients must
   * reach; default false. Needs the package `@aws-sdk/s3-request-presigner`.
   */
  readonly redirect?: boolean
}
