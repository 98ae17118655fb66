/** Thrown through the layers when the user interrupted; never stored as a cell's failure. */
export class Interrupted extends Error {}
