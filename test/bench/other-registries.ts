import { join } from 'node:path'
import { gitea } from './gitea.ts'
import type { OtherRegistry } from './other-registry.ts'
import { freePort, startProcess } from './process.ts'

const ferro: OtherRegistry = {
  ...{ name: 'ferro-cargo-registry-server', version: '1.0.0', program: 'ferro-cargo-registry-server' },
  source: 'crates.io',
  async start(program, { folder }) {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const env = {
      FERRO_CARGO_REGISTRY_LISTEN: `127.0.0.1:${port}`,
      FERRO_CARGO_REGISTRY_DATA: join(folder, 'data'),
      FERRO_CARGO_REGISTRY_API: url,
    }
    return { ...(await startProcess(program, [], { url, env, cwd: folder })), api: url, headers: {} }
  },
}

const nora: OtherRegistry = {
  ...{ name: 'nora-registry', version: '1.4.3', program: 'nora' },
  source: 'crates.io',
  async start(program, { folder, uplink }) {
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    const env = {
      NORA_HOST: '127.0.0.1',
      NORA_PORT: String(port),
      NORA_PUBLIC_URL: origin,
      NORA_STORAGE_MODE: 'local',
      NORA_STORAGE_PATH: join(folder, 'data'),
      NORA_CARGO_PROXY: uplink,
      NORA_CURATION_MODE: 'off',
      NORA_RATE_LIMIT_ENABLED: 'false',
    }
    const url = `${origin}/cargo/index`
    const log = join(folder, 'log')
    const server = await startProcess(program, ['serve'], { url, env, log, cwd: folder })
    return { ...server, api: `${origin}/cargo`, headers: {}, proxied: url }
  },
}

/** Those that install from their package registries. */
export const OTHER_REGISTRIES: readonly OtherRegistry[] = [ferro, nora, gitea]
