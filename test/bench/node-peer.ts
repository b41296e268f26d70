// A server of Node and nothing else: `node node-peer.ts FOLDER PORT`. Index files come from memory, `.crate` files by
// `fs.createReadStream()`.
import { createHash } from 'node:crypto'
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

interface Form {
  readonly head: readonly string[]
  readonly body: Buffer
}

const [, , folder = '', port] = process.argv
const plain = new Map<string, Form>()
const packed = new Map<string, Form>()
const sizes = new Map<string, number>()
for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  const file = join(folder, path)
  if (path.endsWith('/download')) sizes.set(`/${path}`, statSync(file).size)
  else if (path.endsWith('.gz')) packed.set(`/${path.slice(0, -3)}`, formOf(readFileSync(file), true))
  else if (statSync(file).isFile()) plain.set(`/${path}`, formOf(readFileSync(file), false))
}

createServer((request, response) => {
  const { url = '', headers } = request
  const wantsPacked = /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''))
  const form = (wantsPacked ? packed.get(url) : undefined) ?? plain.get(url)
  const size = sizes.get(url)
  if (form !== undefined && headers['if-none-match'] === form.head[1]) {
    response.writeHead(304, form.head.slice(0, 2)).end()
  } else if (form !== undefined) {
    response.writeHead(200, [...form.head]).end(form.body)
  } else if (size !== undefined) {
    response.writeHead(200, { 'Content-Type': 'application/gzip', 'Content-Length': size })
    createReadStream(join(folder, url)).pipe(response)
  } else {
    response.writeHead(404).end()
  }
}).listen(Number(port), '127.0.0.1')

function formOf(body: Buffer, isPacked: boolean): Form {
  const etag = `"${createHash('sha256').update(body).digest('hex')}"`
  const head = [
    'ETag',
    etag,
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(body.length),
  ]
  return { head: isPacked ? [...head, 'Content-Encoding', 'gzip', 'Vary', 'Accept-Encoding'] : head, body }
}
