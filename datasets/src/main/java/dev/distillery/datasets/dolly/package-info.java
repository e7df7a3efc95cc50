/** Dolly: instructions and answers that employees of Databricks wrote. */
@NullMarked
package dev.distillery.datasets.dolly;

import org.jspecify.annotations.NullMarked;
