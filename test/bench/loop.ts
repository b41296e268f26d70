import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

/** The longest turn of an event loop, in milliseconds: its processor time, and how late everything else came. */
export interface LongestTurn {
  readonly work: number
  readonly wall: number
}

/** Since this was last asked of the server whose `watch` the socket is. */
export async function longestTurn(socket: string): Promise<LongestTurn> {
  return JSON.parse(await text(connect(socket)))
}
