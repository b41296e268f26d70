import type { S3 } from '@aws-sdk/client-s3'
import { loadOptional } from './optional-package.ts'
import type { BucketOptions } from './s3-options.ts'
import { createReaders, type Readers } from './s3-readers.ts'

/** What the SDK does by itself when an answer is missing, 5xx or 503 SlowDown: so many tries, with pauses between. */
const MAX_ATTEMPTS = 3
/** All tries of a call together take at most so many times as long as one may: 15 s, and a look at what came of it 15 s. */
const DEADLINE_FACTOR = 1.5
const CONNECT_MS = 3_000
/** What waits for one in vain fails at its deadline. */
const MAX_SOCKETS = 256
/** Each slow reader of a crate holds one: the others are for everything else. */
const MAX_READERS = 192

/** Options of a call to the SDK. */
export interface CallOptions {
  readonly abortSignal: AbortSignal
}

/** A bucket, or the part of it under a prefix, with the SDK's client. */
export interface Bucket {
  readonly name: string
  /** Stands before every key. */
  readonly prefix: string
  /** Longest wait for more of a body, in milliseconds. */
  readonly timeout: number
  /** Those who read a long object. */
  readonly readers: Readers
  /** What `work` comes to, which is given up at the deadline; failures are the SDK's own. */
  call<T>(work: (s3: S3, options: CallOptions) => Promise<T>): Promise<T>
  close(): void
}

/**
 * Loads the SDK and makes a client; nothing is sent yet.
 * @throws {Error} saying which package to install when it is missing
 */
export async function openBucket(options: BucketOptions): Promise<Bucket> {
  const { bucket: name, prefix = '', timeout = 10_000 } = options
  const sdk = await loadOptional(() => import('@aws-sdk/client-s3'), 'storage in S3', '@aws-sdk/client-s3')
  const s3 = new sdk.S3(clientOptions(options, timeout))
  return {
    ...{ name, prefix, timeout },
    readers: createReaders(MAX_READERS, timeout),
    async call(work) {
      const controller = new AbortController()
      // A body that comes with the answer has deadlines of its own.
      const timer = setTimeout(() => controller.abort(), timeout * DEADLINE_FACTOR)
      try {
        return await work(s3, { abortSignal: controller.signal })
      } finally {
        clearTimeout(timer)
      }
    },
    close: () => s3.destroy(),
  }
}

function clientOptions({ region, endpoint, forcePathStyle, credentials }: BucketOptions, timeout: number) {
  const given = region ?? (endpoint === undefined ? undefined : 'us-east-1')
  const agent = { maxSockets: MAX_SOCKETS }
  return {
    ...(given !== undefined && { region: given }),
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    forcePathStyle: forcePathStyle ?? endpoint !== undefined,
    maxAttempts: MAX_ATTEMPTS,
    retryMode: 'standard',
    // Trailing checksums are beyond many servers; every body is signed with its SHA-256 anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // It would cost every part a connection of its own.
    expectContinueHeader: false,
    requestHandler: {
      ...{ connectionTimeout: CONNECT_MS, requestTimeout: timeout, throwOnRequestTimeout: true },
      // The idle time of a socket includes that of a slow reader.
      socketTimeout: 0,
      ...{ httpAgent: agent, httpsAgent: agent },
    },
  } as const
}
