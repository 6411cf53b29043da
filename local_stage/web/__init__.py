"""The web page of the local stage: the files of web/, with the headers that CloudFront gives them on AWS."""
