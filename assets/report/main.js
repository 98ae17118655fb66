import { startDownloads } from './downloads.js';
import { repaint, showFigures, startFigures } from './figures.js';
import { startFilters } from './filters.js';
import { showRows, startTable } from './table.js';
import { startTheme } from './theme.js';

startTheme(repaint);
startFilters(() => {
  showFigures();
  showRows();
});
startFigures();
startTable();
startDownloads();
