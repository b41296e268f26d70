import { pipeline, Readable, Transform } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'
import type { Answer } from './exchange.ts'
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
}

/**
 * The body of an answer, decoded, as it comes. It fails with an {@link UplinkError} when it is cut, stops, drips,
 * decodes to garbage, or is larger than allowed.
 */
export function openBody(uplink: string, answer: Answer, limits: BodyLimits): Readable {
  const decoder = decoderFor(uplink, answer.header('content-encoding'))
  const paced = paceGuard(uplink, limits.paceWindow)
  const capped = sizeGuard(uplink, limits.maxBytes, decoder === undefined ? undefined : () => paced.seen())
  // The callback keeps errors from being unhandled; whoever reads gets them too.
  const ended = () => paced.stop()
  if (decoder === undefined) pipeline(answer.body, paced.stream, capped, ended)
  else pipeline(answer.body, paced.stream, decoder, capped, ended)
  // A generator that never ran ends without a word to its source.
  return Readable.from(explained(uplink, capped), { objectMode: false }).once('close', () => capped.destroy())
}

async function* explained(uplink: string, body: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) yield chunk as Buffer
  } catch (error) {
    throw bodyError(uplink, error)
  }
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

/** What went wrong with a body on its way. */
function bodyError(uplink: string, error: unknown): UplinkError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code.startsWith('Z_') || code === 'ERR_BUFFER_TOO_LARGE')
    return new UplinkError(uplink, 'foreign', 'sends a body that cannot be decoded', { cause: error })
  if (code.startsWith('UND_ERR_RES_CONTENT_LENGTH') || code === 'ERR_STREAM_PREMATURE_CLOSE')
    return new UplinkError(uplink, 'cut', 'sends less than it announced', { cause: error })
  return toUplinkError(uplink, error, 'cut')
}

function decoderFor(uplink: string, encoding = ''): Transform | undefined {
  switch (encoding.trim().toLowerCase()) {
    case '':
    case 'identity':
      return undefined
    case 'gzip':
    case 'x-gzip':
      return createGunzip()
    case 'deflate':
      return createInflate()
    default:
      // Chained encodings among them: nothing that we asked for.
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
      if (size > maxBytes)
        done(new UplinkError(uplink, 'foreign', `sends more than the ${maxBytes} bytes that are allowed`))
      else if (encoded !== undefined && size > RATIO_MATTERS_FROM && size > MAX_RATIO * encoded())
        done(new UplinkError(uplink, 'foreign', 'sends a body that unpacks too far'))
      else done(null, chunk)
    },
  })
}
