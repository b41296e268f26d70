import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { fsStorage } from '../../src/hosts/fs.ts'
import { s3Storage } from '../../src/hosts/s3.ts'
import { cargo } from '../../src/plugin.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'

/** A replica: `node publishing-process.ts FOLDER|S3OPTIONS`; its parent sends lists of versions to publish at once. */
const [, , place = ''] = process.argv
const storage = place.startsWith('{') ? await s3Storage(JSON.parse(place)) : fsStorage(place)
const auth = {
  authenticate: async () => ({ name: 'ann', groups: [] }),
  authorize: async () => true,
}
const plugin = cargo({ auth, storage })
const app = new Koa()
app.silent = true
app.use(plugin)
const server = createServer(app.callback()).listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/cargo`

process.on('message', async ({ name, versions }: { name: string; versions: readonly string[] }) => {
  const answers = versions.map(async (version, writer) => {
    // Every writer has bytes of its own, so that the winner can be told by its checksum.
    const crate = crateFile(name, version).add(`${name}-${version}/writer`, `${process.pid} ${writer}`)
    const body = Buffer.from(publishBody(crate))
    const response = await fetch(`${url}/api/v1/crates/new`, {
      method: 'PUT',
      body,
      headers: { authorization: 'x' },
    })
    process.send?.({ version, status: response.status, text: await response.text() })
  })
  await Promise.all(answers)
  process.send?.({ done: true })
})
process.on('disconnect', () => process.exit(0))
process.send?.({ url })
