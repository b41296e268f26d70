import { constants, type ServerHttp2Stream } from 'node:http2'
import { CargoError } from '../../errors.ts'
import type { OpenObject } from '../../host.ts'
import type { Pieces } from './pieces.ts'
import type { Reply } from './reply.ts'

/** Read and sent at a time: the larger, the less work a byte is; more than this is little less. */
const LARGE = 512 * 1024
const SMALL = 64 * 1024
/** So many answers at a time have a large buffer, all others a small one: slow readers do not fill the memory. */
const MAX_LARGE = 32
/** Small ones that are kept for later. */
const MAX_KEPT_SMALL = 64

/** Buffers for files on their way out, used again and again. */
export interface Buffers {
  take(): Buffer
  /** To be called once nobody reads the buffer any more. */
  give(buffer: Buffer): void
  /** The buffer is lost: somebody may still read it. */
  lose(buffer: Buffer): void
}

export function createBuffers(): Buffers {
  const large: Buffer[] = []
  const small: Buffer[] = []
  let free = MAX_LARGE
  return {
    take() {
      if (free === 0) return small.pop() ?? Buffer.allocUnsafeSlow(SMALL)
      free -= 1
      return large.pop() ?? Buffer.allocUnsafeSlow(LARGE)
    },
    give(buffer) {
      if (buffer.length === LARGE) {
        free += 1
        large.push(buffer)
      } else if (small.length < MAX_KEPT_SMALL) small.push(buffer)
    },
    lose(buffer) {
      if (buffer.length === LARGE) free += 1
    },
  }
}

/** What all files on their way out share. */
export interface Outgoing {
  readonly buffers: Buffers
  readonly pieces: Pieces
}

/** A file whose bytes are those of `id`, and no others. */
export interface KnownFile {
  readonly id: string
  readonly file: OpenObject
}

/**
 * Sends a file as an answer whose head is set, at the pace of its reader, and closes it. The answer is cut short when
 * the file cannot be read to its end: a client never takes a part for the whole.
 * @throws {CargoError} what kept the file from being read
 */
export async function sendFile(res: Reply, known: KnownFile, outgoing: Outgoing): Promise<void> {
  const { buffers } = outgoing
  const { file } = known
  const buffer = buffers.take()
  let isWriting = false
  try {
    for (let position = 0; position < file.size; ) {
      const bytes =
        pieceInMemory(known, outgoing, buffer, position) ?? (await read(known, outgoing, buffer, position))
      isWriting = bytes.buffer === buffer.buffer
      if (!(await written(res, bytes))) return
      isWriting = false
      position += bytes.length
    }
    if (!res.destroyed) res.end()
  } catch (error) {
    cutShort(res)
    throw error
  } finally {
    if (isWriting) buffers.lose(buffer)
    else buffers.give(buffer)
    await file.close()
  }
}

/** A piece as it is, or as much of it as fits into a small buffer: many slow readers must not hold what is no longer kept. */
function pieceInMemory(
  { id }: KnownFile,
  { pieces }: Outgoing,
  buffer: Buffer,
  position: number,
): Buffer | undefined {
  const from = position % LARGE
  const piece = pieces.get(id, position - from)
  if (piece === undefined || (buffer.length === LARGE && from === 0)) return piece
  const copied = piece.copy(buffer, 0, from)
  return copied === 0 ? undefined : buffer.subarray(0, copied)
}

async function read(
  { id, file }: KnownFile,
  { pieces }: Outgoing,
  buffer: Buffer,
  position: number,
): Promise<Buffer> {
  const wanted = Math.min(buffer.length, file.size - position)
  const read = await file.read(buffer.subarray(0, wanted), position)
  if (read === 0) throw new CargoError('unavailable', 'a stored crate file ended early')
  const bytes = buffer.subarray(0, read)
  if (buffer.length === LARGE && read === wanted) pieces.note(id, position, bytes)
  return bytes
}

/** Whether the bytes have left; `false` once the client has. */
export function written(res: Reply, bytes: Buffer): Promise<boolean> {
  // Writing to who has gone is an error that nobody hears of.
  if (res.destroyed) return Promise.resolve(false)
  return new Promise((resolve) => {
    const gone = () => resolve(false)
    res.once('close', gone)
    res.write(bytes, (error) => {
      res.off('close', gone)
      resolve(!error)
    })
  })
}

/** Ends an answer so that nobody takes it for a whole one. */
export function cutShort(res: Reply): void {
  if ('stream' in res) (res.stream as ServerHttp2Stream).close(constants.NGHTTP2_INTERNAL_ERROR)
  else res.destroy()
}
