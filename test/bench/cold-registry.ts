import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serverCommand } from '../support/server-command.ts'
import { freePort, type Server, startProcess } from './process.ts'

const MAIN = join(import.meta.dirname, '../../dist/server/main.js')

/** Starts the built bundled server with one uplink, over an empty folder that goes when it stops. */
export async function startColdRegistry(
  work: string,
  uplink: string,
  options: { readonly prefetch?: number },
): Promise<Server> {
  const folder = await mkdtemp(join(work, 'registry-'))
  const config = join(folder, 'config.json')
  const port = await freePort()
  const settings = {
    listen: `127.0.0.1:${port}`,
    storage: { fs: { path: join(folder, 'data') } },
    auth: { tokens: [{ token_env: 'BENCH_TOKEN', user: 'bench' }] },
    cargo: {
      uplinks: { 'crates-io': { url: uplink } },
      packages: { '**': { access: '$all', publish: '$authenticated', proxy: 'crates-io' } },
      ...options,
    },
  }
  await writeFile(config, JSON.stringify(settings))
  const url = `http://127.0.0.1:${port}/cargo`
  const server = await startProcess(process.execPath, serverCommand(MAIN, 'serve', '--config', config), {
    url,
    env: { BENCH_TOKEN: 'token-of-the-benchmark' },
  })
  return {
    url,
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
