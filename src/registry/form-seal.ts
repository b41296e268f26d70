import { createHmac, timingSafeEqual } from 'node:crypto'
import type { ObjectStore } from '../host.ts'
import { FORM_SECRET_KEY } from './keys.ts'
import { loadSecret } from './store-secret.ts'

/** A page may lie open for so long before its form is sent. */
const VALID_MS = 12 * 60 * 60 * 1000

/**
 * Proof that a form was made here, for the very person who sends it: another site can make a browser send a form with
 * the person's password, but cannot read this. Needs no session, and holds on every replica.
 */
export interface FormSeal {
  make(user: string): Promise<string>
  check(user: string, seal: string): Promise<boolean>
}

export function createFormSeal(storage: ObjectStore, now: () => Date): FormSeal {
  let secret: Promise<Buffer> | undefined

  async function sealed(user: string, until: string): Promise<string> {
    secret ??= loadSecret(storage, FORM_SECRET_KEY).catch((error) => {
      secret = undefined
      throw error
    })
    const mac = createHmac('sha256', await secret)
      .update(`${until}\n${user}`)
      .digest('base64url')
    return `${until}.${mac}`
  }

  return {
    make: (user) => sealed(user, String(now().getTime() + VALID_MS)),
    async check(user, seal) {
      const until = /^(\d{1,16})\./.exec(seal)?.[1]
      if (until === undefined || Number(until) <= now().getTime()) return false
      const [given, wanted] = [Buffer.from(seal), Buffer.from(await sealed(user, until))]
      return given.length === wanted.length && timingSafeEqual(given, wanted)
    },
  }
}
