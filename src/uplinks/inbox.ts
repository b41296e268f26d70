/** A reader that is slower than the sender has so much waiting for it; the sender waits with the rest. */
const MAX_WAITING = 64 * 1024

/** Bytes that come by themselves, for one reader that takes them at its own pace. */
export interface Inbox {
  put(chunk: Buffer): void
  /** All is there, or no more will come. */
  end(error?: Error): void
  readonly isEmpty: boolean
  /** What was put, then its end; fails with the error that it ended with. Tells when the reader `left`, at the end or before. */
  read(left: () => void): AsyncGenerator<Buffer>
}

/** An inbox that pauses its sender, and lets it go on. */
export function createInbox(sender: { pause(): unknown; resume(): unknown }): Inbox {
  const waiting: Buffer[] = []
  let bytes = 0
  let end: { readonly error: Error | undefined } | undefined
  let news = Promise.withResolvers<void>()

  function tell(): void {
    news.resolve()
    news = Promise.withResolvers()
  }

  function next(): Buffer | undefined {
    const chunk = waiting.shift()
    if (chunk === undefined) return undefined
    const wasFull = bytes >= MAX_WAITING
    bytes -= chunk.length
    if (wasFull && bytes < MAX_WAITING) sender.resume()
    return chunk
  }

  return {
    get isEmpty() {
      return waiting.length === 0
    },
    put(chunk) {
      waiting.push(chunk)
      bytes += chunk.length
      if (bytes >= MAX_WAITING) sender.pause()
      tell()
    },
    end(error) {
      end = { error }
      tell()
    },
    async *read(left) {
      try {
        for (;;) {
          const chunk = next()
          if (chunk !== undefined) yield chunk
          else if (end === undefined) await news.promise
          else if (end.error === undefined) return
          else throw end.error
        }
      } finally {
        left()
      }
    },
  }
}
