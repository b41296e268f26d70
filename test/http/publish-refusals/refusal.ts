import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OptionsInput } from '../../../src/options.ts'
import { type App, startApp } from '../../support/app.ts'
import { type CrateFile, publishBody } from '../../support/crate-file.ts'

/** A publish that must be refused, and with which words. */
export interface Refusal {
  /** What is wrong with it. */
  readonly what: string
  /** What is published: a crate, or a body of one's own making. */
  readonly publish: CrateFile | Uint8Array
  readonly detail: string
  /** Default 400. */
  readonly status?: number
  /** Options of the registry. */
  readonly options?: OptionsInput
  /** What is published before, and must be all that is stored afterwards. */
  readonly after?: CrateFile
}

/** Declares a test for each refusal: status, exact body, and that nothing was stored. */
export function testRefusals(rule: string, refusals: readonly Refusal[]): void {
  for (const { what, publish, detail, status = 400, options, after } of refusals) {
    test(`publish() refuses ${rule}: ${what}`, async (t) => {
      const app = await startApp(t, options === undefined ? {} : { options })
      const stored = after === undefined ? [] : await publishFirst(app, after)
      const body = publish instanceof Uint8Array ? publish : publishBody(publish)
      const answer = await app.request('/api/v1/crates/new', { method: 'PUT', as: 'ann', body })
      assert.deepEqual(
        { status: answer.status, body: answer.body },
        { status, body: { errors: [{ detail }] } },
      )
      assert.deepEqual(await app.stored(), stored)
    })
  }
}

async function publishFirst(app: App, crate: CrateFile): Promise<string[]> {
  const { status, text } = await app.publish(crate)
  assert.equal(status, 200, text)
  return app.stored()
}
