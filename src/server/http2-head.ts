import type { Http2ServerResponse, OutgoingHttpHeaders } from 'node:http2'

/** Heads are often those of an answer before. */
const known = new WeakMap<readonly string[], OutgoingHttpHeaders>()

/**
 * Writes the head of an answer over HTTP/2: names and values in turns, which may be shared by many answers.
 *
 * Why not `writeHead()`: it goes through every header again, and waits for trailers that nobody sends.
 */
export function beginHttp2(
  res: Http2ServerResponse,
  status: number,
  request: string,
  head: readonly string[],
): void {
  const { stream } = res
  res.statusCode = status
  if (stream.destroyed || stream.closed) return
  stream.respond({ ':status': status, 'x-request-id': request, ...fieldsOf(head) })
}

function fieldsOf(head: readonly string[]): OutgoingHttpHeaders {
  const before = known.get(head)
  if (before !== undefined) return before
  const fields: OutgoingHttpHeaders = {}
  for (let i = 0; i < head.length; i += 2) fields[head[i]?.toLowerCase() ?? ''] = head[i + 1]
  known.set(head, fields)
  return fields
}
