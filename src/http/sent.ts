import type { ServerResponse } from 'node:http'
import { finished, type Writable } from 'node:stream'

/** Calls `done` once the whole answer was sent; never when the client left before, or it had to be cut short. */
export function whenSent(res: ServerResponse, done: () => void): void {
  // What Node offers of HTTP/2 in the manner of HTTP/1 tells of an end however it came; the stream does not.
  const stream: Writable = 'stream' in res ? (res.stream as Writable) : res
  finished(stream, { readable: false }, (error) => {
    if (!error) done()
  })
}
