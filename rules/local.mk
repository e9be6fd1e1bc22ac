# what is shipped from here
