import assert from 'node:assert/strict'
import { createServer, type Server, type ServerOptions } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import Koa from 'koa'
import { answerH2c } from '../../src/hosts/h2c.ts'
import { passH2c } from '../../src/hosts/koa.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { cargo } from '../../src/plugin.ts'

type Attach = (server: Server, app: Koa) => void

const isWebSocket: NonNullable<ServerOptions['shouldUpgradeCallback']> = ({ headers }) =>
  /websocket/i.test(headers.upgrade ?? '')

const webSockets: Attach = (server) => void server.on('upgrade', (_, socket) => socket.destroy())

/** What the plugin warns of, after two requests of which none is cargo's. */
async function warnings(
  t: TestContext,
  attach: readonly Attach[],
  options: ServerOptions = {},
): Promise<readonly string[]> {
  const warned: string[] = []
  const silent = () => {}
  const warn = (_: object, message: string) => void warned.push(message)
  const logger = { debug: silent, info: silent, error: silent, warn }
  const auth = { authenticate: async () => undefined, authorize: async () => true }
  const plugin = cargo({ auth, storage: memoryStorage(), logger })
  const app = new Koa()
  app.use(plugin)
  const server = createServer(options, app.callback())
  for (const one of attach) one(server, app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await plugin.close()
  })
  const { port } = server.address() as AddressInfo
  for (const path of ['/', '/cargo/config.json']) await fetch(`http://127.0.0.1:${port}${path}`)
  return warned
}

test('the plugin warns once of a listener for upgrades that would take cargo’s requests', async (t) => {
  const [warning, ...more] = await warnings(t, [webSockets])
  assert.match(warning ?? '', /listens for `upgrade`.*passH2c\(server\).*answerH2c.*shouldUpgradeCallback/)
  assert.deepEqual(more, [])
})

test('the plugin does not warn where cargo’s requests get through', async (t) => {
  const onlyWebSockets = { shouldUpgradeCallback: isWebSocket }
  assert.deepEqual(await warnings(t, []), [])
  assert.deepEqual(await warnings(t, [webSockets, passH2c]), [])
  assert.deepEqual(
    await warnings(t, [webSockets, (server, app) => void answerH2c(server, app.callback())]),
    [],
  )
  assert.deepEqual(await warnings(t, [webSockets], onlyWebSockets), [])
})
