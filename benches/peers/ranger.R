# Fit ranger and print CPU seconds and R² as JSON: `Rscript ranger.R FOLDER DATA TREES`. Run by training.py if ranger is there
# (Debian: r-cran-ranger).
suppressMessages(library(ranger))

read_npy <- function(path) {
  file <- file(path, "rb")
  on.exit(close(file))
  readBin(file, "raw", 8)
  header <- readChar(file, readBin(file, "integer", 1, size = 2, endian = "little"))
  sizes <- sub(".*shape'", "", header)
  shape <- as.integer(regmatches(sizes, gregexpr("[0-9]+", sizes))[[1]])
  size <- if (grepl("<f4", header)) 4 else 8
  values <- readBin(file, "double", prod(shape), size = size, endian = "little")
  if (length(shape) == 1) values else matrix(values, nrow = shape[1], byrow = TRUE)
}

arguments <- commandArgs(trailingOnly = TRUE)
part <- function(name) read_npy(file.path(arguments[1], paste0(arguments[2], "_", name, ".npy")))
named <- function(x) `colnames<-`(x, paste0("f", seq_len(ncol(x))))
x <- named(part("x"))
y <- part("y")
start <- proc.time()
forest <- ranger(
  x = x, y = y, num.trees = as.integer(arguments[3]), mtry = ncol(x), min.node.size = 1,
  oob.error = FALSE, num.threads = 1, seed = 42
)
spent <- proc.time() - start
predicted <- predict(forest, named(part("x_test")), num.threads = 1)$predictions
truth <- part("y_test")
r2 <- 1 - sum((truth - predicted)^2) / sum((truth - mean(truth))^2)
cat(sprintf('{"seconds": %.6f, "r2": %.6f}\n', spent[["user.self"]] + spent[["sys.self"]], r2))
