import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

interface Stored {
  readonly bytes: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** A store that speaks just enough S3, and takes no notice of conditions, ranges and signatures. */
export interface SimpleS3 {
  readonly url: string
  readonly keys: () => readonly string[]
  close(): Promise<void>
}

export async function simpleS3({ refusesConditions = false } = {}): Promise<SimpleS3> {
  const objects = new Map<string, Stored>()
  const server = createServer((request, response) => {
    if (refusesConditions && request.headers['if-none-match'] !== undefined)
      response.writeHead(501).end('<Error><Code>NotImplemented</Code></Error>')
    else answer(objects, request, response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    keys: () => [...objects.keys()],
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function answer(
  objects: Map<string, Stored>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://s3')
  const bytes = await buffer(request)
  const found = objects.get(pathname)
  if (request.method === 'PUT') {
    const writer = String(request.headers['x-amz-meta-writer'])
    const headers = { 'x-amz-meta-writer': writer, 'last-modified': new Date().toUTCString() }
    objects.set(pathname, { bytes, headers })
    response.writeHead(200, { etag: '"x"' }).end()
  } else if (request.method === 'DELETE') {
    objects.delete(pathname)
    response.writeHead(204).end()
  } else if (searchParams.has('list-type')) {
    response.end(
      '<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>',
    )
  } else if (found === undefined) {
    response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>')
  } else {
    response.writeHead(200, { ...found.headers, 'content-length': found.bytes.length }).end(found.bytes)
  }
}
