import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Certificate } from '../support/certificate.ts'
import { serverCommand } from '../support/server-command.ts'
import { freePort, type Server, startProcess } from './process.ts'

const MAIN = join(import.meta.dirname, '../../dist/server/main.js')

/** How a registry is reached and what it does ahead. */
export interface ColdRegistrySpec {
  readonly prefetch?: number
  /** For https with HTTP/2. */
  readonly certificate?: Pick<Certificate, 'keyFile' | 'certFile'>
  /** For HTTP/2 on plain http. */
  readonly h2c?: boolean
}

/** The registry that it asks. */
export interface RegistryUplink {
  readonly url: string
  /** The file of the certificate to trust. */
  readonly ca?: string
}

/** Starts the built bundled server with one uplink, over an empty folder that goes when it stops. */
export async function startColdRegistry(
  work: string,
  uplink: RegistryUplink,
  { certificate, h2c = false, ...options }: ColdRegistrySpec,
): Promise<Server> {
  const folder = await mkdtemp(join(work, 'registry-'))
  const config = join(folder, 'config.json')
  const port = await freePort()
  const settings = {
    listen: `127.0.0.1:${port}`,
    h2c,
    ...(certificate && { tls: { cert: certificate.certFile, key: certificate.keyFile } }),
    storage: { fs: { path: join(folder, 'data') } },
    auth: { tokens: [{ token_env: 'BENCH_TOKEN', user: 'bench' }] },
    cargo: {
      uplinks: { 'crates-io': uplink },
      packages: { '**': { access: '$all', publish: '$authenticated', proxy: 'crates-io' } },
      ...options,
    },
  }
  await writeFile(config, JSON.stringify(settings))
  const url = `${certificate ? 'https' : 'http'}://127.0.0.1:${port}/cargo`
  const server = await startProcess(process.execPath, serverCommand(MAIN, 'serve', '--config', config), {
    url,
    env: { BENCH_TOKEN: 'token-of-the-benchmark' },
  })
  return {
    ...server,
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
