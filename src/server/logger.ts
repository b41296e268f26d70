import process from 'node:process'
import { type DestinationStream, destination, type Logger, pino } from 'pino'
import type { RequestLog } from './request-log.ts'
import { requestFields } from './visit.ts'

const STDERR = 2
/** A line waits for others for so many milliseconds at most, and for so many bytes. */
const HELD_MS = 25
const MAX_HELD = 64 * 1024
/** Bytes of one unit of a string. */
const MAX_UTF8 = 3

type Fields = Readonly<Record<string, unknown>>

/** What a server writes. */
export interface Logs {
  readonly logger: Logger
  readonly logRequest: RequestLog
}

/** JSON lines on stderr, each with `fields` and the id of the request it belongs to. */
export function createLogger(fields?: Fields): Logger {
  return createLogs(fields).logger
}

/** The same, with the lines of requests. */
export function createLogs(fields?: Fields): Logs {
  const timestamp = createTimestamp(Date.now)
  const stderr = destination({ dest: STDERR, contentMode: 'buffer' })
  const lines = gathered((bytes) => void stderr.write(bytes as never))
  return {
    logger: pino({ base: fields ?? null, timestamp, mixin: requestFields }, lines),
    logRequest: createRequestLog(lines, timestamp, fields),
  }
}

/**
 * Writes of requests what pino would, in a quarter of the time (`node test/bench/front.ts`): there is such a line for
 * each of them.
 */
export function createRequestLog(
  lines: DestinationStream,
  timestamp: () => string,
  fields: Fields = {},
): RequestLog {
  const level = `{"level":${pino.levels.values['info']}`
  const base = Object.entries(fields).map(
    ([key, value]) => `,${JSON.stringify(key)}:${JSON.stringify(value)}`,
  )
  const always = base.join('')
  return ({ request, client, method, path, status, ms, user, aborted }) => {
    const who = user === undefined ? '' : `,"user":${JSON.stringify(user)}`
    const end = aborted ? ',"aborted":true' : ''
    lines.write(
      `${level}${timestamp()}${always},"request":${JSON.stringify(request)},"client":${JSON.stringify(client)},"method":${JSON.stringify(method)},"path":${JSON.stringify(path)},"status":${status},"ms":${ms}${who}${end},"msg":"request"}\n`,
    )
  }
}

/**
 * Writes the lines of a few milliseconds at once, and what is left when the process ends: under load a write for each
 * line costs more than all else that a log does.
 */
export function gathered(write: (lines: Buffer) => void): DestinationStream {
  // As bytes: to make one string of many takes longer.
  const held = Buffer.allocUnsafeSlow(MAX_HELD)
  let bytes = 0
  let timer: NodeJS.Timeout | undefined
  function flush(): void {
    clearTimeout(timer)
    if (bytes > 0) write(Buffer.copyBytesFrom(held, 0, bytes))
    bytes = 0
  }
  // Before the destination, which then sees to what it was given.
  process.prependListener('exit', flush)
  return {
    write(line) {
      const most = MAX_UTF8 * line.length
      if (most > MAX_HELD - bytes) flush()
      if (most > MAX_HELD) {
        write(Buffer.from(line))
        return
      }
      if (bytes === 0) timer = setTimeout(flush, HELD_MS)
      bytes += held.write(line, bytes)
    },
  }
}

/** The time as pino wants it, in ISO 8601; written once for each millisecond of the clock. */
export function createTimestamp(now: () => number): () => string {
  let written = Number.NaN
  let text = ''
  return function timestamp() {
    const time = now()
    if (time !== written) text = `,"time":"${new Date(time).toISOString()}"`
    written = time
    return text
  }
}
