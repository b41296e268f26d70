import { type ClientHttp2Session, connect, createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { CargoPlugin } from '../../../src/plugin.ts'

/** A connection of HTTP/2 to an app with the plugin; both end with the test. */
export async function connectOverHttp2(
  context: { after(done: () => Promise<void>): void },
  koa: { callback(): unknown },
  plugin: CargoPlugin,
): Promise<ClientHttp2Session> {
  const server = createServer(koa.callback() as never)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  context.after(async () => {
    session.destroy()
    server.close()
    await plugin.close()
  })
  return session
}
