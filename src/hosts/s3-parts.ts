import { CargoError } from '../errors.ts'

/** Bytes of a part of a large upload: the least that S3 takes, and all that is held of a stream. */
export const PART_BYTES = 5 * 1024 * 1024

const FIRST_ROOM = 64 * 1024

/** A part of a stream; `bytes` are overwritten by the next one. */
export interface Part {
  readonly bytes: Uint8Array
  readonly isLast: boolean
}

/**
 * Cuts a stream into parts of `PART_BYTES`; the last one may be shorter, down to nothing. All share one buffer, which
 * is no larger than what came. A failure of the source is passed on as it is.
 */
export async function* partsOf(source: AsyncIterable<unknown>): AsyncGenerator<Part, void> {
  let room: Buffer = Buffer.alloc(0)
  let length = 0
  for await (const chunk of source) {
    if (!(chunk instanceof Uint8Array)) throw new CargoError('internal', 'a stream to store must yield bytes')
    for (let rest = chunk; rest.length > 0; ) {
      // Only now is it known that this part is not the last one.
      if (length === PART_BYTES) {
        yield { bytes: room, isLast: false }
        length = 0
      }
      const piece = rest.subarray(0, PART_BYTES - length)
      room = withRoom(room, length, length + piece.length)
      room.set(piece, length)
      length += piece.length
      rest = rest.subarray(piece.length)
    }
  }
  yield { bytes: room.subarray(0, length), isLast: true }
}

function withRoom(room: Buffer, used: number, wanted: number): Buffer {
  if (wanted <= room.length) return room
  const size = Math.min(PART_BYTES, Math.max(FIRST_ROOM, 2 * room.length, wanted))
  const larger = Buffer.allocUnsafeSlow(size)
  larger.set(room.subarray(0, used))
  return larger
}
