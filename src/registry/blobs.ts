import { hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { LRUCache } from 'lru-cache'
import { CargoError } from '../errors.ts'
import type {
  ByteRange,
  CargoEvent,
  Logger,
  ObjectInfo,
  ObjectStore,
  OpenObject,
  PutOptions,
  StoredObject,
} from '../host.ts'
import { holdBack } from './hold-back.ts'
import { createHotBlobs, type HotBlob } from './hot-blobs.ts'
import { blobKey } from './keys.ts'
import { readBytes } from './reliable-storage.ts'
import { singleFlight } from './single-flight.ts'
import type { Soon } from './soon.ts'

/** Read whole and checked before the first byte is sent. */
const MAX_BUFFERED = 512 * 1024
/** How many blobs are remembered as verified. */
const MAX_VERIFIED = 100_000
const MAX_DAMAGED = 10_000
/** A client follows a redirect at once. */
const ADDRESS_SECONDS = 60
/** Back-pressure by bytes; streams of objects would queue sixteen chunks of any size. */
const BYTES = { objectMode: false } as const

/** A `.crate` file, or a range of one. */
export interface BlobContent {
  /** Bytes of the whole blob. */
  readonly size: number
  readonly modified: Date
  /** The bytes asked for; must be consumed or destroyed. */
  readonly body: Readable
}

/** What is stored under its checksum. */
export interface Blobs {
  /** Writes a blob, again if it was there: that renews its age for garbage collection. A stream is destroyed. */
  put(sha256: string, body: Uint8Array | Readable): Promise<void>
  /** The same for bytes that can be had again elsewhere, and have the checksum: a power cut may take them away. */
  keep(sha256: string, body: Uint8Array | Readable): Promise<void>
  stat(sha256: string): Promise<ObjectInfo | undefined>
  /**
   * The blob, verified the first time this process reads it and again when it changed.
   * @throws {CargoError} `unavailable` when the stored bytes do not have the checksum; a large blob's stream fails
   * instead, before its last byte
   */
  get(sha256: string, range?: ByteRange): Promise<BlobContent | undefined>
  /** Where a client gets the blob from the store itself, unverified, for a minute; absent: nowhere. */
  address?(sha256: string, filename: string): Promise<string>
  /** What {@link Blobs.get} would give of a small blob that is in memory, with a look at the store once in a second. */
  ready(sha256: string): Soon<HotBlob | undefined>
  /**
   * A blob that this process has verified, for positional reads; the bytes of a small one that it has not, verified now.
   * `undefined` for what only {@link Blobs.get} can judge, and where stores have no such reads.
   */
  open(sha256: string): Promise<HotBlob | OpenObject | 'absent' | undefined>
  /** Whether this process found the bytes damaged that it looked at last; writing them again mends that. */
  isDamaged(sha256: string): boolean
}

export interface BlobsDeps {
  readonly storage: ObjectStore
  readonly logger: Logger
  readonly emit: (event: Omit<CargoEvent, 'at'>) => void
  /** Milliseconds on a clock that never jumps. */
  readonly monotonic: () => number
}

/** The blobs of `storage`. */
export function createBlobs({ storage, logger, emit, monotonic }: BlobsDeps): Blobs {
  const { signedUrl } = storage
  const hot = createHotBlobs(monotonic)
  const verified = new LRUCache<string, string>({ max: MAX_VERIFIED })
  /** As {@link fingerprint} had them: others may mend them. */
  const damaged = new LRUCache<string, string>({ max: MAX_DAMAGED })
  /** Large blobs that are verified while somebody gets them. */
  const beingSent = new Set<string>()
  const checks = singleFlight<void>()
  const readings = singleFlight<HotBlob | 'absent' | undefined>()

  function corrupt(sha256: string, object: ObjectInfo): CargoError {
    damaged.set(sha256, fingerprint(object))
    hot.delete(sha256)
    logger.error({ sha256 }, 'integrity: stored bytes do not have the checksum they are stored under')
    emit({ kind: 'integrity', crate: '', detail: { sha256, found: 'stored bytes have another checksum' } })
    return new CargoError('unavailable', 'the stored crate file is damaged, the operator has been told', {
      retryAfter: 60,
    })
  }

  async function readVerified(
    sha256: string,
    range: ByteRange | undefined,
  ): Promise<BlobContent | undefined> {
    const object = await storage.get(blobKey(sha256))
    if (object === undefined) return undefined
    const { size, modified } = object
    if (size <= MAX_BUFFERED) {
      const bytes = await readBytes(object)
      if (sumOf(bytes) !== sha256) throw corrupt(sha256, object)
      remember(sha256, object)
      hot.set(sha256, { size, modified, bytes })
      return {
        size,
        modified,
        body: Readable.from([range ? bytes.subarray(range.start, range.end) : bytes], BYTES),
      }
    }
    if (range === undefined && !damaged.has(sha256) && !beingSent.has(sha256)) {
      beingSent.add(sha256)
      const body = checkedBody(sha256, object).once('close', () => beingSent.delete(sha256))
      return { size, modified, body }
    }
    // An answer that would have to be cut short is better not begun; and of a crowd, one reads it for all.
    object.body.destroy()
    await checks.run(sha256, () => check(sha256))
    return get(sha256, range)
  }

  async function get(sha256: string, range?: ByteRange): Promise<BlobContent | undefined> {
    const seen = verified.get(sha256)
    if (seen === undefined) return readVerified(sha256, range)
    const object = await storage.get(blobKey(sha256), range)
    if (object === undefined) return undefined
    // What is asked for again, whole, is asked for often: it is read once more into memory.
    const isHotter = range === undefined && object.size <= MAX_BUFFERED && !hot.has(sha256)
    if (fingerprint(object) === seen && !isHotter) return object
    object.body.destroy()
    verified.delete(sha256)
    return readVerified(sha256, range)
  }

  async function check(sha256: string): Promise<void> {
    const object = await storage.get(blobKey(sha256))
    if (object !== undefined) for await (const _ of checkedBody(sha256, object));
  }

  function checkedBody(sha256: string, object: StoredObject): Readable {
    const failure = () => corrupt(sha256, object)
    const checked = Readable.from(
      holdBack(object.body, sha256, failure, () => remember(sha256, object)),
      BYTES,
    )
    // A generator that never ran ends without a word to its source.
    return checked.once('close', () => object.body.destroy())
  }

  function remember(sha256: string, object: ObjectInfo): void {
    verified.set(sha256, fingerprint(object))
    damaged.delete(sha256)
  }

  /** Of a small blob. What is damaged is left to `get()`, which tells of it. */
  async function readWhole(sha256: string): Promise<HotBlob | 'absent' | undefined> {
    if (storage.open === undefined) return undefined
    const file = await storage.open(blobKey(sha256))
    if (file === undefined) return 'absent'
    try {
      const { size, modified } = file
      if (size > MAX_BUFFERED) return undefined
      const bytes = Buffer.allocUnsafeSlow(size)
      const read = await file.read(bytes, 0)
      if (read !== size || sumOf(bytes) !== sha256) return undefined
      remember(sha256, file)
      const blob = { size, modified, bytes }
      hot.set(sha256, blob)
      return blob
    } finally {
      await file.close()
    }
  }

  async function write(sha256: string, body: Uint8Array | Readable, options: PutOptions): Promise<void> {
    try {
      await storage.put(blobKey(sha256), body, options)
    } finally {
      // A store that is full or away may never have looked at it.
      if (body instanceof Readable) body.destroy()
    }
    verified.delete(sha256)
    damaged.delete(sha256)
    hot.delete(sha256)
  }

  return {
    put: (sha256, body) => write(sha256, body, {}),
    async keep(sha256, body) {
      // What is there may be somebody's publish, and durable.
      await write(sha256, body, damaged.has(sha256) ? {} : { ifAbsent: true, durable: false })
      if (!Buffer.isBuffer(body) || body.length > MAX_BUFFERED) return
      // Who brought it here is about to ask for it. If the store cannot say when it was written, that is asked then.
      const object = await storage.stat(blobKey(sha256)).catch(() => undefined)
      if (object?.size === body.length) hot.set(sha256, { ...object, bytes: body })
    },
    ...(signedUrl && {
      address: (sha256, filename) =>
        signedUrl(blobKey(sha256), ADDRESS_SECONDS, { type: 'application/gzip', filename }),
    }),
    ready(sha256) {
      if (damaged.has(sha256)) return undefined
      const blob = hot.get(sha256)
      if (blob !== undefined || !hot.has(sha256)) return blob
      return storage.stat(blobKey(sha256)).then((object) => {
        hot.seen(sha256, object)
        return hot.get(sha256)
      })
    },
    async open(sha256) {
      if (damaged.has(sha256)) return undefined
      const seen = verified.get(sha256)
      if (seen === undefined) return readings.run(sha256, () => readWhole(sha256))
      const file = await storage.open?.(blobKey(sha256))
      if (file === undefined || fingerprint(file) === seen) return file
      await file.close()
      return undefined
    },
    get,
    isDamaged: (sha256) => damaged.has(sha256),
    async stat(sha256) {
      const info = await storage.stat(blobKey(sha256))
      hot.seen(sha256, info)
      if (info === undefined || damaged.get(sha256) !== fingerprint(info)) damaged.delete(sha256)
      return info
    },
  }
}

function sumOf(bytes: Buffer): string {
  return hash('sha256', bytes)
}

function fingerprint({ size, modified }: ObjectInfo): string {
  return `${size} ${modified.getTime()}`
}
