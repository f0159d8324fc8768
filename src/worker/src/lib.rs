//! The half of hostler that runs inside the site's own Python.

use pyo3::prelude::*;

mod wsgi;

#[pymodule]
fn _hostler(_m: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
