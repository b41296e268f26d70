import { declareSuite } from './suite.ts'

declareSuite('6.10.4')
