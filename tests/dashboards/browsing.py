"""What the browser tests ask of a page and wait for."""


def rows(page, grid):
    """All rows of a table: those outside the window are not in the document."""
    return page.evaluate(
        """async (grid) => {
            const api = await dash_ag_grid.getApiAsync(grid);
            const found = [];
            api.forEachNodeAfterFilterAndSort((node) => found.push(node.data));
            return found;
        }""",
        grid,
    )


def wait_rows(page, grid, count):
    page.wait_for_function(
        """([grid, count]) => {
            try { return dash_ag_grid.getApi(grid).getDisplayedRowCount() === count; }
            catch { return false; }  // not there yet
        }""",
        arg=[grid, count],
    )


def wait_text(page, selector, text):
    page.wait_for_function(
        "([selector, text]) => (document.querySelector(selector)?.textContent || '').includes(text)",
        arg=[selector, text],
    )


def traces(page, chart):
    """Name and number of points of what a chart draws."""
    page.wait_for_selector(f"#{chart} .main-svg")
    return page.evaluate(
        """(chart) => document.querySelector(`#${chart} .js-plotly-plot`)
            .data.map((trace) => [trace.name, trace.x.length])""",
        chart,
    )
