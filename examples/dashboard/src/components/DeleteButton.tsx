// The button that deletes a row.
import type { MouseEvent } from 'react';
import { type ListName, remove } from '../api';
import { useChange } from '../queries';
import { Icon } from './Icon';

interface Props {
  list: ListName;
  id: string;
  name: string;
}

/** Deletes the row that contains it. */
export function DeleteButton({ list, id, name }: Props) {
  const drop = useChange(list, () => remove(list, id));

  const onClick = (event: MouseEvent<HTMLButtonElement>) => {
    if (drop.isPending) return;
    // A press of a key is a click without a count. The focus must not vanish with the row; a pointer has its own place.
    const row = event.currentTarget.closest('li');
    if (event.detail === 0 && row) neighbour(row)?.focus();
    drop.mutate(undefined);
  };

  return (
    <button
      type="button"
      className="quiet icon-button danger"
      aria-label={`Delete ${name}`}
      aria-disabled={drop.isPending}
      onClick={onClick}
      data-testid="delete"
    >
      <Icon name="trash" />
    </button>
  );
}

/** The next row, else the one before, else the field that makes one. */
function neighbour(row: Element): HTMLElement | null | undefined {
  const other = row.nextElementSibling ?? row.previousElementSibling;
  return other ? other.querySelector('button') : row.closest('section')?.querySelector('input');
}
