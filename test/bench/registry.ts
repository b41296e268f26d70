import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serverCommand } from '../support/server-command.ts'
import { freePort, type Server, startProcess } from './process.ts'

const MAIN = join(import.meta.dirname, '../../dist/server/main.js')

/** The token of the user who publishes. */
export const TOKEN = 'token-of-the-benchmark'

/** Starts the built bundled server over an empty folder; its URL has the mount. */
export async function startRegistry(folder: string): Promise<Server> {
  const config = join(folder, 'config.json')
  const port = await freePort()
  const settings = {
    listen: `127.0.0.1:${port}`,
    storage: { fs: { path: join(folder, 'data') } },
    auth: { tokens: [{ token_env: 'BENCH_TOKEN', user: 'bench' }] },
    // It may publish more at once than anybody should.
    cargo: { uplinks: {}, rate_limits: { publish: false } },
  }
  await writeFile(config, JSON.stringify(settings))
  const url = `http://127.0.0.1:${port}/cargo`
  return startProcess(process.execPath, serverCommand(MAIN, 'serve', '--config', config), {
    url,
    env: { BENCH_TOKEN: TOKEN },
  })
}
