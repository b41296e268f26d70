import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'

/** An index file of many like lines shrinks to a fiftieth; beyond this it is a bomb. */
const MAX_RATIO = 200
/** Below this size no ratio matters. */
const RATIO_MATTERS_FROM = 1024 * 1024
/** Unpacked at a time: most index files whole. */
const MAX_PIECE = 256 * 1024
const MIN_PIECE = 1024
/** The last bytes of what gzip packs tell how large it was. */
const SIZE_BYTES = 4

const unzip = promisify(gunzip)

/**
 * What gzip packed, as far as `maxBytes` allow; `'bomb'` when it unpacks much too far, `'large'` when to more than that.
 * At once, not as it comes: a stream costs more than the work that it does for most index files.
 * @throws zlib's error when it is no gzip, or cut
 */
export async function unpack(packed: Buffer, maxBytes: number): Promise<Buffer | 'bomb' | 'large'> {
  const maxOutputLength = Math.min(maxBytes, Math.max(RATIO_MATTERS_FROM, MAX_RATIO * packed.length))
  try {
    return await unzip(packed, { maxOutputLength, chunkSize: pieceSize(packed) })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')) throw error
    return maxOutputLength === maxBytes ? 'large' : 'bomb'
  }
}

/**
 * Whether what gzip packed is worth keeping beside its bytes: it is smaller, and one member and nothing else, judged by the
 * size that its end tells (RFC 1952, section 2.3.1). Of several members, and of what stands behind them, programs make
 * different things.
 */
export function isKeepable(packed: Buffer, bytes: Buffer): boolean {
  return packed.length < bytes.length && toldSize(packed) === bytes.length
}

/** One byte more than what is told, so that a piece which is just full is not taken for one that was too small. */
function pieceSize(packed: Buffer): number {
  return Math.min(MAX_PIECE, Math.max(MIN_PIECE, toldSize(packed) + 1))
}

/** The size, below 4 GiB, that the last bytes tell of the last member. */
function toldSize(packed: Buffer): number {
  return packed.length < SIZE_BYTES ? 0 : packed.readUInt32LE(packed.length - SIZE_BYTES)
}
