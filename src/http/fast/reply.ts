/** As much of a `ServerResponse` as an answer from memory takes, whose head is written before. */
export interface Reply {
  readonly statusCode: number
  /** Whether nothing can be sent any more. */
  readonly destroyed: boolean
  /** Whether all of it was sent. */
  readonly writableFinished: boolean
  write(bytes: Buffer, done: (error?: Error | null) => void): unknown
  end(body?: Buffer): unknown
  destroy(): unknown
  on(event: 'finish' | 'close', listener: () => void): unknown
  once(event: 'close', listener: () => void): unknown
  off(event: 'close', listener: () => void): unknown
}
