import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serverCommand } from '../support/server-command.ts'
import { freePort, type Server, startProcess } from './process.ts'

const MAIN = join(import.meta.dirname, '../../dist/server/main.js')
const WATCH = join(import.meta.dirname, 'loop-watch.ts')

/** The token of the user who publishes, and who reads where that needs a login. */
export const TOKEN = 'token-of-the-benchmark'

/** What a registry of a production set-up is told. */
export interface RegistrySpec {
  /** Of its own files. */
  readonly name: string
  /** Several may share it: what is kept is below. */
  readonly folder: string
  readonly redis: string
  /** URLs of the uplinks for `proxied-` and other names, and for `cold-` ones. */
  readonly uplinks: { readonly near: string; readonly cold?: string }
  /** Whether everybody may read; default: members of a team, by their token. */
  readonly open?: boolean
  /** Its URL, mount included, for those who come from elsewhere. */
  readonly publicUrl?: string
  readonly h2c?: boolean
  readonly workers?: number
  /** The socket at which it tells of its longest turns, see `loop-watch.ts`. */
  readonly watch?: string
  /** `0`: nothing is fetched before it is asked for. */
  readonly prefetch?: 0
}

/** Starts the built bundled server as in production: rules, metrics, a log of all requests, Redis. */
export async function startRegistry(spec: RegistrySpec): Promise<Server> {
  const { name, folder, watch } = spec
  const config = join(folder, `${name}.json`)
  const port = await freePort()
  await writeFile(config, JSON.stringify(settings(spec, port)))
  const url = `http://127.0.0.1:${port}/cargo`
  const preload = watch === undefined ? [] : ['--import', WATCH]
  const command = serverCommand(MAIN, 'serve', '--config', config)
  return startProcess(process.execPath, [...preload, ...command], {
    url,
    env: { BENCH_TOKEN: TOKEN, ...(watch !== undefined && { BENCH_LOOP: watch }) },
    log: join(folder, `${name}.log`),
  })
}

function settings(
  { folder, redis, uplinks, open, publicUrl, h2c, workers, prefetch }: RegistrySpec,
  port: number,
) {
  const team = { access: ['bench-team'] }
  const packages = {
    'bench-*': { ...team, publish: ['bench-team'] },
    'proxied-*': { ...team, proxy: 'near' },
    ...(uplinks.cold !== undefined && { 'cold-*': { ...team, proxy: 'cold' } }),
    'others-*': { access: ['another-team'], publish: ['another-team'] },
    '**': { access: '$authenticated', publish: '$authenticated', proxy: 'near' },
  }
  return {
    listen: `127.0.0.1:${port}`,
    redis,
    ...(publicUrl !== undefined && { public_url: new URL(publicUrl).origin }),
    ...(h2c !== undefined && { h2c }),
    ...(workers !== undefined && { workers }),
    storage: { fs: { path: join(folder, 'data') } },
    auth: { tokens: [{ token_env: 'BENCH_TOKEN', user: 'bench', groups: ['bench-team'] }] },
    cargo: {
      uplinks: Object.fromEntries(Object.entries(uplinks).map(([key, url]) => [key, { url }])),
      packages: open ? { '**': { publish: '$authenticated', proxy: 'near' } } : packages,
      ...(prefetch !== undefined && { prefetch }),
      // It may publish more at once than anybody should.
      rate_limits: { publish: false },
    },
  }
}
