import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { memoryStorage } from '../../../src/hosts/memory.ts'
import { cargo } from '../../../src/plugin.ts'
import { createServer, parseConfig } from '../../../src/server/index.ts'
import { makeCertificate } from '../../support/certificate.ts'
import { upgradeH2c } from '../../support/h2c-client.ts'
import { http2Client, upgradingClient } from './http2-client.ts'
import { rawPipeline } from './raw-pipeline.ts'
import { ADMIN, OTHER, OWNER } from './subjects.ts'
import { digestOf, populate, type World, worldOptions } from './world.ts'

type Context = { after(done: () => Promise<void>): void }

/** How the bundled server is asked: HTTP/2 over TLS, or by clients that upgrade from plain http. */
export type Http2Way = 'tls' | 'h2c'

/** The same crates and users behind the bundled server, over HTTP/2; the rules keep the hidden ones hidden. */
export async function startBundledWorld(
  context: Context,
  way: Http2Way,
): Promise<World & { upgrades(): number }> {
  const folder = await mkdtemp(join(tmpdir(), 'cargo-test-'))
  const { cert, certFile, keyFile } = await makeCertificate(folder)
  const users = [OWNER, OTHER, ADMIN]
  const options = worldOptions('rules')
  const config = parseConfig({
    listen: '127.0.0.1:0',
    storage: { fs: { path: join(folder, 'data') } },
    ...(way === 'tls' ? { tls: { cert: certFile, key: keyFile } } : { h2c: true }),
    auth: {
      tokens: [
        ...users.map((user) => ({ token_env: user, user })),
        { token_env: 'reader', user: OWNER, actions: ['read'] },
      ],
    },
    cargo: options,
  })
  const environment = Object.fromEntries([...users, 'reader'].map((name) => [name, `${name}-token`]))
  const silent = () => {}
  const logger = { debug: silent, info: silent, warn: silent, error: silent } as unknown as Logger
  const server = await createServer(config, { environment, logger })
  const { origin, pathname: mount } = new URL(server.url)
  const session =
    way === 'tls' ? connect(origin, { ca: cert }) : (await upgradeH2c(server.port, { path: '/live' })).session
  const streams = http2Client(session)
  const ask =
    way === 'tls'
      ? Object.assign(streams, { upgrades: () => 0 })
      : upgradingClient(server.port, { streams, plain: rawPipeline(server.port) })
  context.after(async () => {
    session.close()
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })
  const { routes } = cargo({ auth: nobody, storage: memoryStorage() }, options)
  const place = { origin, mount, index: `sparse+${server.url}/` }
  const secrets = await populate(place, ask, true)
  return { ...place, routes, ask, ...secrets, upgrades: ask.upgrades, digest: () => digestOf(server.storage) }
}

/** For a plugin that is asked for its routes only. */
const nobody = { authenticate: async () => undefined, authorize: async () => false }
