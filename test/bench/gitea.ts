import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { moduleFolder } from './compiled.ts'
import type { OtherRegistry } from './other-registry.ts'
import { freePort, startProcess } from './process.ts'

const run = promisify(execFile)

/** Of its packages, those of cargo; everything of it runs, as it does in production. */
export const gitea: OtherRegistry = {
  // Some modules that 1.27 needs are not served.
  ...{ name: 'code.gitea.io/gitea', version: '1.26.0', program: 'gitea' },
  source: 'Go module',
  async start(program, { folder }) {
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    const config = join(folder, 'app.ini')
    await mkdir(join(folder, 'custom'), { recursive: true })
    await writeFile(config, giteaConfig(folder, port, await moduleFolder(gitea)))
    const env = { GITEA_WORK_DIR: folder, GITEA_CUSTOM: join(folder, 'custom') }
    const command = async (...args: readonly string[]) =>
      (await run(program, [...args, '--config', config], { env: { ...process.env, ...env } })).stdout.trim()
    await command('migrate')
    const user = ['--username', 'bench']
    const person = ['--email', 'bench@example.com', '--random-password', '--must-change-password=false']
    await command('admin', 'user', 'create', ...user, ...person)
    // Warnings come before it.
    const said = await command('admin', 'user', 'generate-access-token', ...user, '--raw', '--scopes', 'all')
    const token = said.split('\n').at(-1) ?? ''
    const log = join(folder, 'log.txt')
    const server = await startProcess(program, ['web', '--config', config], { url: origin, env, log })
    const api = `${origin}/api/packages/bench/cargo`
    return { ...server, url: api, api, headers: { Authorization: `Bearer ${token}` } }
  },
}

function giteaConfig(folder: string, port: number, source: string): string {
  return `I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
WORK_PATH = ${folder}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${port}
ROOT_URL = http://127.0.0.1:${port}/
STATIC_ROOT_PATH = ${source}
DISABLE_SSH = true
[database]
DB_TYPE = sqlite3
PATH = ${folder}/gitea.db
[security]
INSTALL_LOCK = true
SECRET_KEY = benchmark
[service]
DISABLE_REGISTRATION = true
[log]
MODE = file
LEVEL = Info
ROOT_PATH = ${folder}/log
`
}
