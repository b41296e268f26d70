import { declareSuite } from './suite.ts'

declareSuite('9.0.0-next-9.31')
