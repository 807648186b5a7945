/** A column of a table; the slot of its key fills the cells. */
export interface Column {
  key: string;
  label: string;
  align?: 'end';
  /** Takes the room that the others leave. */
  isWide?: boolean;
}
