import type { WriteStream } from 'node:tty'

const MiB = 1024 * 1024
/** Milliseconds between two drawings on a terminal, and between two lines elsewhere. */
const DRAW_MS = 100
const LINE_MS = 10_000
const WIDTH = 30

/** Where progress is shown: `process.stderr` fits. */
export type ProgressStream = Pick<WriteStream, 'write'> & { readonly isTTY?: boolean }

/** How far a command is: a bar on a terminal, elsewhere a line now and then. */
export interface Progress {
  /** One more is done, with so many bytes. */
  step(bytes: number): void
  /** Makes room for other output. */
  clear(): void
}

/**
 * Of a known number of packages.
 * @param monotonic milliseconds
 */
export function createProgress(stream: ProgressStream, total: number, monotonic: () => number): Progress {
  return showProgress(stream, monotonic, (done, bytes, isTerminal) => {
    const text = `${done} of ${total} packages, ${renderSize(bytes)}`
    const full = Math.round((WIDTH * done) / Math.max(1, total))
    return isTerminal ? `[${'#'.repeat(full).padEnd(WIDTH, '-')}] ${text}` : text
  })
}

/** Of a number of things that shows at the end only: `what` they are. */
export function createCounter(stream: ProgressStream, what: string, monotonic: () => number): Progress {
  return showProgress(stream, monotonic, (done, bytes) => `${done} ${what}, ${renderSize(bytes)}`)
}

function showProgress(
  stream: ProgressStream,
  monotonic: () => number,
  render: (done: number, bytes: number, isTerminal: boolean) => string,
): Progress {
  const isTerminal = stream.isTTY === true
  let done = 0
  let bytes = 0
  let shownAt = isTerminal ? Number.NEGATIVE_INFINITY : monotonic()

  function show(): void {
    shownAt = monotonic()
    const text = render(done, bytes, isTerminal)
    // Back to the first column, and whatever is left of the line before goes.
    stream.write(isTerminal ? `\r${text}\x1b[K` : `${text}\n`)
  }

  return {
    step(more) {
      done += 1
      bytes += more
      if (monotonic() - shownAt >= (isTerminal ? DRAW_MS : LINE_MS)) show()
    },
    clear() {
      if (isTerminal) stream.write('\r\x1b[K')
    },
  }
}

/** Bytes as people read them. */
export function renderSize(bytes: number): string {
  return `${(bytes / MiB).toFixed(1)} MiB`
}
