import type { ServerHttp2Stream } from 'node:http2'
import type { Reply } from './fast/reply.ts'

/** Calls `done` once the whole answer was sent; never when the client left before, or it had to be cut short. */
export function whenSent(res: Reply, done: () => void): void {
  // `finished()` says the same in both cases, for several times the work.
  if (!('stream' in res)) {
    res.on('finish', done)
    return
  }
  // What Node offers of HTTP/2 in the manner of HTTP/1 tells of an end however it came; the stream does not.
  const stream = res.stream as ServerHttp2Stream
  stream.once('close', () => {
    if (stream.writableFinished && stream.errored === null) done()
  })
}
