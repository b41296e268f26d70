import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { assertRun } from '../support/bench.ts'
import type { CargoHome } from '../support/cargo.ts'
import { clientOf } from './client.ts'
import type { Verdaccio } from './host.ts'
import type { Installation } from './install.ts'
import type { NpmUser } from './npm.ts'
import { REMEMBERED_MS } from './tokens.ts'

/** A token that was taken back. */
export interface Revoked {
  /** Asserts what it is still good for, with cargo, which has it, and with npm; may wait some seconds. */
  isRefused(home: CargoHome, installed: Installation): Promise<void>
}

/** Takes the user's one token without limits back by `npm token revoke`. */
export async function revoke(verdaccio: Verdaccio, user: NpmUser, token: string): Promise<Revoked> {
  await verdaccio.revokeToken(user)
  const at = performance.now()
  return {
    async isRefused(home, { version }) {
      const elsewhere = await verdaccio.createToken(user, '--cidr=10.0.0.0/8')
      await sleep(Math.max(0, at + REMEMBERED_MS - performance.now()))
      const yank = ['yank', '--registry', 'ours', '--version', '0.1.0', 'hello-cargo']
      const { status } = await clientOf(verdaccio.url, elsewhere).ask('/config.json')
      // Before version 6.7.4 Verdaccio itself takes revoked and limited tokens for any other.
      if (version === '6.5.0') {
        assertRun(await home.cargo(yank), 0)
        assert.equal(status, 200)
        assert.equal(await whoIs(verdaccio, token), user.name)
        return
      }
      assertRun(await home.cargo(yank), 101, 'the token was revoked')
      assert.equal(status, 401)
      await assert.rejects(whoIs(verdaccio, token), /E403/)
    },
  }
}

/** What `npm whoami` says to a token. */
async function whoIs(verdaccio: Verdaccio, token: string): Promise<string> {
  const home = join(verdaccio.folder, 'npm-revoked')
  await mkdir(home, { recursive: true })
  await writeFile(join(home, '.npmrc'), `//${new URL(verdaccio.origin).host}/:_authToken=${token}\n`)
  return (await verdaccio.npm({ home }, 'whoami')).trim()
}
