import { pipeline, type Readable, Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type Answer, discard } from './exchange.ts'
import { toUplinkError, UplinkError } from './uplink-error.ts'

/** Slower than this and it is no download any more. */
const MIN_BYTES_PER_SECOND = 1024
/** An index file of many like lines shrinks to a fiftieth; beyond this it is a bomb. */
const MAX_RATIO = 200
/** Below this size no ratio matters. */
const RATIO_MATTERS_FROM = 1024 * 1024

export interface BodyLimits {
  /** Decoded bytes. */
  readonly maxBytes: number
  /** Milliseconds over which the pace is measured. */
  readonly paceWindow: number
  /** Whether a `Content-Encoding` is undone; else the bytes are taken as they come. */
  readonly decode: boolean
}

/**
 * The body of an answer as it comes. It fails with an {@link UplinkError} when it is cut, stops, drips, decodes to
 * garbage, or is larger than allowed; to destroy it ends the request.
 * @throws {UplinkError} at once, when its headers say so already
 */
export function openBody(uplink: string, answer: Answer, limits: BodyLimits): Readable {
  const decoder = limits.decode ? decoderOf(uplink, answer) : undefined
  if (Number(answer.header('content-length')) > limits.maxBytes) {
    discard(answer)
    throw tooLarge(uplink, limits.maxBytes)
  }
  const paced = paceGuard(uplink, limits.paceWindow)
  const sources = [answer.body, paced.stream, ...(decoder === undefined ? [] : [decoder])]
  const body = sizeGuard(uplink, limits.maxBytes, decoder && paced.seen)
  // Before the pipeline does it with the error as it is.
  for (const source of sources) source.once('error', (error) => body.destroy(bodyError(uplink, error)))
  pipeline([...sources, body], paced.stop)
  // Without a listener, an error before anybody reads would end the process.
  return body.on('error', () => {})
}

/**
 * All bytes of a body.
 * @throws {UplinkError} as {@link openBody}
 */
export async function readBody(uplink: string, answer: Answer, limits: BodyLimits): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of openBody(uplink, answer, limits)) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
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

function decoderOf(uplink: string, answer: Answer): Transform | undefined {
  const encoding = answer.header('content-encoding') ?? ''
  switch (encoding.trim().toLowerCase()) {
    case '':
    case 'identity':
      return undefined
    case 'gzip':
    case 'x-gzip':
      return createGunzip()
    default:
      // Chained encodings among them: nothing that we asked for.
      discard(answer)
      throw new UplinkError(uplink, 'foreign', `sends a body in encoding \`${encoding.slice(0, 40)}\``)
  }
}

function paceGuard(uplink: string, window: number) {
  let seen = 0
  let before = 0
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length
      done(null, chunk)
    },
  })
  const timer = setInterval(() => {
    // What waits here waits for us, not for the uplink.
    const waiting = stream.readableLength > 0
    if (!waiting && seen - before < (MIN_BYTES_PER_SECOND * window) / 1000) {
      stream.destroy(new UplinkError(uplink, 'away', 'sends too slowly'))
    }
    before = seen
  }, window)
  timer.unref()
  return { stream, seen: () => seen, stop: () => clearInterval(timer) }
}

function sizeGuard(uplink: string, maxBytes: number, encoded?: () => number): Transform {
  let size = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length
      if (size > maxBytes) done(tooLarge(uplink, maxBytes))
      else if (encoded !== undefined && size > RATIO_MATTERS_FROM && size > MAX_RATIO * encoded())
        done(new UplinkError(uplink, 'foreign', 'sends a body that unpacks too far'))
      else done(null, chunk)
    },
  })
}

function tooLarge(uplink: string, maxBytes: number): UplinkError {
  return new UplinkError(uplink, 'foreign', `sends more than the ${maxBytes} bytes that are allowed`)
}
