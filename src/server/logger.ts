import process from 'node:process'
import { type DestinationStream, destination, type Logger, pino } from 'pino'
import { requestFields } from './visit.ts'

const STDERR = 2
/** A line waits for others for so many milliseconds at most, and for so many characters. */
const HELD_MS = 5
const MAX_HELD = 64 * 1024

/** JSON lines on stderr, each with `fields` and the id of the request it belongs to. */
export function createLogger(fields?: Readonly<Record<string, unknown>>): Logger {
  return pino(
    { base: fields ?? null, timestamp: createTimestamp(Date.now), mixin: requestFields },
    gathered(destination(STDERR)),
  )
}

/**
 * Writes the lines of a few milliseconds at once, and what is left when the process ends: under load a write for each
 * line costs more than all else that a log does.
 */
export function gathered(to: DestinationStream): DestinationStream {
  let held = ''
  function flush(): void {
    const lines = held
    held = ''
    if (lines !== '') to.write(lines)
  }
  // Before the destination, which then sees to what it was given.
  process.prependListener('exit', flush)
  return {
    write(line) {
      if (held === '') setTimeout(flush, HELD_MS)
      held += line
      if (held.length > MAX_HELD) flush()
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
