// Makes heads of tables into buttons that sort. Without it the tables stand as they were written.
for (const table of document.querySelectorAll('table[data-sortable]')) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const order = (row, i) => {
    const cell = row.cells[i];
    return cell.hasAttribute('data-order') ? Number(cell.dataset.order) : cell.textContent.trim();
  };
  const compare = (a, b) => {
    // Numbers come before words, whichever way.
    if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
    return typeof a === 'number' ? a - b : a.localeCompare(b, 'en', { numeric: true });
  };
  heads.forEach((head, i) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') === 'ascending';
      heads.forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const rows = [...body.rows].map((row) => [order(row, i), row]);
      rows.sort(([a], [b]) => {
        const way = typeof a === typeof b && down ? -1 : 1;
        return way * compare(a, b);
      });
      body.append(...rows.map(([, row]) => row));
    });
  });
}
