import { type Answer, discard } from './exchange.ts'
import { createInbox } from './inbox.ts'
import { isKeepable, unpack } from './unpack.ts'
import { toUplinkError, UplinkError } from './uplink-error.ts'

/** Slower than this and it is no download any more. */
const MIN_BYTES_PER_SECOND = 1024

export interface BodyLimits {
  /** Of the bytes as they come, and of what they unpack to. */
  readonly maxBytes: number
  /** Milliseconds over which the pace is measured. */
  readonly paceWindow: number
}

/** A body as it comes, for one reader. */
export interface Body extends AsyncIterable<Buffer> {
  /** Ends the request; a reader that leaves early does so, too. */
  destroy(): void
}

/** What is told of a body that comes: nothing more after its end. */
interface Receiver {
  take(chunk: Buffer): void
  /** All of it is there, or no more will come. */
  end(error?: UplinkError): void
  /** Whether some of it waits for us: then it is not the uplink that is slow. */
  isWaiting(): boolean
}

/**
 * The bytes of an answer as they come, whatever they are packed with. To read them fails with an {@link UplinkError} when
 * the body is cut, stops, drips or is larger than allowed; `ended` is told so too, or that all has come, but not that its
 * reader left.
 * @throws {UplinkError} at once, when its headers say so already
 */
export function openBody(
  uplink: string,
  answer: Answer,
  limits: BodyLimits,
  ended?: (error?: UplinkError) => void,
): Body {
  mustFit(uplink, answer, limits)
  const { body } = answer
  const inbox = createInbox(body)
  let isLeft = false
  receive(uplink, answer, limits, {
    isWaiting: () => !inbox.isEmpty,
    take: inbox.put,
    end(error) {
      // Who left ended it, not the uplink.
      if (!isLeft) ended?.(error)
      inbox.end(error)
    },
  })
  const leave = () => {
    isLeft = true
    body.destroy()
  }
  return { [Symbol.asyncIterator]: () => inbox.read(leave), destroy: leave }
}

/** A body that is here. */
export interface ReadBody {
  /** Unpacked. */
  readonly bytes: Buffer
  /** The same as it came, where gzip packed it in one piece and to less. */
  readonly packed?: Buffer
}

/**
 * All bytes of a body, unpacked.
 * @throws {UplinkError} as {@link openBody}, and when it does not unpack, or too far
 */
export async function readBody(uplink: string, answer: Answer, limits: BodyLimits): Promise<ReadBody> {
  const isPacked = mustBeKnown(uplink, answer)
  mustFit(uplink, answer, limits)
  const chunks: Buffer[] = []
  await new Promise<void>((resolve, reject) => {
    receive(uplink, answer, limits, {
      isWaiting: () => false,
      take: (chunk) => void chunks.push(chunk),
      end: (error) => (error === undefined ? resolve() : reject(error)),
    })
  })
  const all = Buffer.concat(chunks)
  if (!isPacked) return { bytes: all }
  const bytes = await unpacked(uplink, all, limits.maxBytes)
  return isKeepable(all, bytes) ? { bytes, packed: all } : { bytes }
}

/**
 * Whether a body that was cut cannot look whole. One without a length, not chunked and not packed, ends where the
 * connection does; over HTTP/2, undici takes a stream that is reset with CANCEL or NO_ERROR for one that has ended.
 */
export function tellsItsEnd({ header }: Answer): boolean {
  return (
    header('content-length') !== undefined ||
    /\bchunked\b/i.test(header('transfer-encoding') ?? '') ||
    /\bgzip\b/i.test(header('content-encoding') ?? '')
  )
}

/** Lets a body come, as long as it keeps the limits: else the request is ended. */
function receive(uplink: string, { body }: Answer, { maxBytes, paceWindow }: BodyLimits, to: Receiver): void {
  let size = 0
  let before = 0
  const timer = setInterval(() => {
    const isSlow = size - before < (MIN_BYTES_PER_SECOND * paceWindow) / 1000
    if (isSlow && !to.isWaiting()) body.destroy(new UplinkError(uplink, 'away', 'sends too slowly'))
    before = size
  }, paceWindow)
  timer.unref()
  // An error comes after nothing, and nothing after it: whoever destroys a body is told so too.
  body.once('error', (error) => to.end(bodyError(uplink, error)))
  body.once('end', () => to.end())
  body.once('close', () => clearInterval(timer))
  body.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > maxBytes) body.destroy(tooLarge(uplink, maxBytes))
    else to.take(chunk)
  })
}

/** @throws {UplinkError} when the body is announced as larger than allowed */
function mustFit(uplink: string, answer: Answer, { maxBytes }: BodyLimits): void {
  if (!(Number(answer.header('content-length')) > maxBytes)) return
  discard(answer)
  throw tooLarge(uplink, maxBytes)
}

/** Whether a body is packed. @throws {UplinkError} for any encoding that we did not ask for, chained ones among them */
function mustBeKnown(uplink: string, answer: Answer): boolean {
  const encoding = answer.header('content-encoding') ?? ''
  switch (encoding.trim().toLowerCase()) {
    case '':
    case 'identity':
      return false
    case 'gzip':
    case 'x-gzip':
      return true
    default:
      discard(answer)
      throw new UplinkError(uplink, 'foreign', `sends a body in encoding \`${encoding.slice(0, 40)}\``)
  }
}

async function unpacked(uplink: string, packed: Buffer, maxBytes: number): Promise<Buffer> {
  const bytes = await unpack(packed, maxBytes).catch((error) => {
    throw bodyError(uplink, error)
  })
  if (bytes === 'large') throw tooLarge(uplink, maxBytes)
  if (bytes === 'bomb') throw new UplinkError(uplink, 'foreign', 'sends a body that unpacks too far')
  return bytes
}

/** What went wrong with a body on its way. */
function bodyError(uplink: string, error: Error): UplinkError {
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'Z_BUF_ERROR')
    return new UplinkError(uplink, 'cut', 'sends a packed body without its end', { cause: error })
  if (code.startsWith('Z_'))
    return new UplinkError(uplink, 'foreign', 'sends a body that cannot be decoded', { cause: error })
  const isLate = code === 'UND_ERR_BODY_TIMEOUT' || error.name === 'TimeoutError'
  return toUplinkError(uplink, error, isLate ? 'away' : 'cut')
}

function tooLarge(uplink: string, maxBytes: number): UplinkError {
  return new UplinkError(uplink, 'foreign', `sends more than the ${maxBytes} bytes that are allowed`)
}
