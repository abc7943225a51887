"""Where tokens are kept between runs."""
