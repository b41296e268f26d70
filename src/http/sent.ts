import { finished, type Writable } from 'node:stream'
import type { Reply } from './fast/reply.ts'

/** Calls `done` once the whole answer was sent; never when the client left before, or it had to be cut short. */
export function whenSent(res: Reply, done: () => void): void {
  if (!('stream' in res)) {
    // `finished()` says the same, for several times the work.
    res.on('finish', done)
    return
  }
  // What Node offers of HTTP/2 in the manner of HTTP/1 tells of an end however it came; the stream does not.
  finished(res.stream as Writable, { readable: false }, (error) => {
    if (!error) done()
  })
}
